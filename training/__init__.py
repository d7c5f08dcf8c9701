"""Scripts that build the data shipped with `cleaning/` from labelled collections; not part of the package."""
