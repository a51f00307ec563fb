"""From a candidate to a verdict: fetch, hash, score, judge, store, record."""
