"""Which film a picture shows: evidence from pages and lists, tables that people import, and what contradicts."""
