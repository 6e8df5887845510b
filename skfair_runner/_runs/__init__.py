"""What comparisons and searches share: rows, folds, digests, files of results."""
