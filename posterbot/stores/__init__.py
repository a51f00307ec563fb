"""Where original bytes live, named by their content."""
