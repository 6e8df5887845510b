"""What comparisons and searches share: rows, folds, digests and files of results."""
