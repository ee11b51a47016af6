"""claimx inside other libraries: spaCy, Hugging Face datasets, W3C Web Annotation.

Each module needs its own library only, and none is loaded with claimx.
"""
