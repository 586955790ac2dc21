"""The choke points hostile input passes: images, paths, secrets; and the points where tests fail us."""
