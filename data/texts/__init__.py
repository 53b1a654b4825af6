"""Documents as characters: IMDB reviews, pairs of them, and the pairs of papers of AAN."""
