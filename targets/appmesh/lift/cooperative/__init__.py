"""What holds in files of App Mesh as long as the proxies of callers are honest: the weaker of the two judgements."""
