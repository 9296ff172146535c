"""Twenty planted mistakes that synthesize but fail to deploy, and which check finds each before."""
