"""The sections of a page, one file each: a new section is a new file here and no edit elsewhere."""
