"""Any systems side by side on the same texts: files of predictions, runs, guards, and the baselines."""
