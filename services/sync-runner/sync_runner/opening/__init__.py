"""What lies in the bytes that a source gave: mails, archives, Outlook's wrappers, and what kind each file is.

Pure but for the temporary files that large bytes lie in. Bytes are handed on unaltered.
"""
