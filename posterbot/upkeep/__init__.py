"""What keeps catalogue and store in step: fsck, and what is to be forgotten."""
