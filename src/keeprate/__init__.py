"""Route each image request to the route that costs least per image you keep."""
