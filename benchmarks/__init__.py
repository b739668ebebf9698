"""What the function costs beside other ways to do the same: `make bench`. See docs/performance.md."""
