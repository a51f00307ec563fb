"""The past is judged again: any policy, applied to all stored scores."""
