"""The files of the claimx model claimx-en-small."""
