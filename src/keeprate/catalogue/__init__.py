"""Dated facts about models: who exists, what it can do, what it costs. Parses text it is handed."""
