"""The forms that an export can have, one file each."""
