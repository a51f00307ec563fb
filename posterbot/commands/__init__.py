"""What ``scrapy`` does in this project beyond its own commands."""
