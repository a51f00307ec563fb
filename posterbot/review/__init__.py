"""What people say of images: which to show them, what they answered, and what that tells of the filter."""
