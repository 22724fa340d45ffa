"""Understanding what a child wrote: which danger, which intent, which language. Pure, in process, and only ever able to raise the alarm."""
