"""Google's dialect: the Gemini API and Vertex, passed on as they came."""
