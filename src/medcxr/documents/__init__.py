"""Documents on paper: text of several scripts set in lines, laid out on pages, written as PDF."""
