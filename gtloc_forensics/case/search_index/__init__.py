"""What makes a search over a million photos quick: an index beside the case, which is no part of it.

It holds of each photo what conditions, words and examples are compared with. It decides which photos are looked at,
never what is shown of them: that is read from the case again. It is known by its own hashes and by the case and the
examination that it was made of; one that is damaged, foreign or old is left alone and made anew, and without it a
search gives the same answer, later.
"""
