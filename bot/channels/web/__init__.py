"""The child's web page: served as HTML, answered as JSON or by a form, kept up to date by a stream."""
