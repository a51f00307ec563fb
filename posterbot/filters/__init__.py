"""The rules, in order of cost. Each answers (keep, reason) and knows nothing of storage."""
