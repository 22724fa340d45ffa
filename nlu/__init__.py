"""Understanding what a child wrote: which danger, which intent, which language. It can only ever raise the alarm."""
