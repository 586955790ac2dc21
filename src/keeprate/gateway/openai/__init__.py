"""The dialect of OpenAI's image clients: https://platform.openai.com/docs/api-reference/images, read 2026-11-21."""
