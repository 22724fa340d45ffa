"""What changes without a programmer: words, helplines, municipalities, routes, settings; and the gates for words."""
