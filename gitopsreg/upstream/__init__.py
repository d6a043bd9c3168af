"""Where versions come from: finding them, fetching them, and proving their bytes before anything is listed."""
