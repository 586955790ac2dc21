"""The words of the business as frozen values. Standard library only; knows nobody."""
