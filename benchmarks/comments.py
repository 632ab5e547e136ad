"""Comments like those of a talk page: clauses of our own, lengths as people write them, some insults.

Lengths are log-normal, cut at `LONGEST` words: about as long as comments on Wikipedia's talk pages are.
"""

from __future__ import annotations

from math import log
from random import Random

MEDIAN, SPREAD, LONGEST = 36, 1.1, 250
INSULTS = (
    "You are a complete idiot and everybody here knows it.",
    "Shut up, you stupid moron.",
    "What a pathetic little liar you are.",
    "Only a brain-dead fool would write such garbage.",
    "Get lost, you disgusting piece of trash.",
    "You ignorant clown, nobody wants you here.",
    "Go to hell with your stupid edits.",
    "You are the dumbest loser on this whole site.",
)
CLAUSES = tuple(
    line
    for line in """
thanks for the update
I will have a look at it tomorrow
the second paragraph still needs a source
I moved the table to the end of the section
the map is from an older edition of the atlas
could you explain why the date was changed
the museum opens again in spring
we should ask the others before we merge the two pages
her first novel came out in 1994
the bridge was closed for repairs between 1961 and 1963
this is covered in the guideline on names
I do not agree with the new title
the photo shows the old station before it was rebuilt
please sign your comments on the talk page
the count includes villages without a church
most readers will not know what this term means
the team won the cup three years in a row
I checked the book you cited and page 112 says something else
the archive has a copy of the letter from March 1887
that link has been dead since last summer
the infobox gives a different year than the text
I have restored the earlier wording for now
feel free to improve it if you have better sources
the census of 2011 gives a population of about four thousand
the lead is too long and repeats the history section
I would rather keep both names in the first sentence
the article was split last year after a long discussion
as far as I can tell the two brothers never met
the newspaper corrected the story the next day
it would help to have a reference in English
my impression is that the author relied on a single report
the template does not show correctly on small screens
I am not sure that this belongs in the introduction
the river was called something else before the war
there is a longer treatment in the German article
the quotation should be given in full or not at all
I have asked at the reference desk and will report back
the company moved its offices to Leeds in 2003
we went through this in the archive of the talk page
I appreciate the work you have put into the tables
the spelling follows the official register of place names
you may be right about the second edition
the older maps show the border further to the north
I would suggest a short section on the reception of the film
the caption names the wrong architect
this was decided by a vote in which nine people took part
the episode was first broadcast on a Sunday evening
a newer study came to another conclusion
the coordinates point to the middle of the lake
my edit only fixed the order of the footnotes
the claim is not in the source that is given
please have a look at the style guide before you change the dates
the school was founded by two teachers from the next town
I removed the sentence because it said the same thing twice
the list is sorted by year and not by name
it seems that the editor of the journal was her uncle
the tower is forty metres high according to the city's own page
I left a note on the project page
the word is used differently in law
there were two ships of that name
the translation in the footnote is mine
I think a table would be clearer than a list
the band broke up before the record was released
we cannot use the picture because of its licence
the second half of the article reads like an advertisement
it might be better to wait until the report is published
the numbers do not add up to a hundred
the author of that blog is a well known historian
I could not find the passage in the printed version
somebody should check the names of the players
the battle lasted two days and not three
both spellings are common in the literature
the railway line was closed to passengers in 1968
I agree that the old version was easier to read
the section on climate is copied from another page
what do you think of moving the details to a note
the prize was shared by three people that year
I will add the missing page numbers this weekend
the interview was given in Spanish and translated later
the category is for living people only
as a reader I would expect the dates near the top
the first edition has a different preface
you reverted my change without saying why
the family moved to Canada when she was six
the article on the painter has a better photograph
the statement is true but it needs context
I have no strong opinion on the order of the sections
the village lies about ten miles east of the capital
the editor before me had added the same link twice
the council approved the plan in the autumn
a search in the library catalogue gives only two results
the genus was described in the nineteenth century
this paragraph mixes up the father and the son
I would be glad to help with the maps
the name of the street was changed after the election
the software has not been updated since 2014
please do not take the revert personally
the season began in August and ended in May
an uninvolved editor should close the discussion
the sentence about the harbour is not supported by the citation
I am happy with either version
his later work is hardly mentioned at all
the obituary in the local paper gives the date of birth
there is no consensus for such a large change
the figures for rainfall are in inches and should be converted
it was nominated for deletion once and kept
the law came into force on the first of January
my apologies for the late answer
the director himself said so in a lecture
we need a page number for that quotation
the castle belongs to the county and is open to visitors
I fixed a few typing errors in the last section
the review you quote was written before the book was finished
the old talk page has more about this
the singer is better known under another name
a short summary would be enough here
the plant also grows in the south of Italy
this was the question that I raised two weeks ago
the chart would be easier to read with fewer colours
I found the original report in the university library
the phrase is too vague for an encyclopedia
the last paragraph contradicts the first one
many thanks to everyone who took part
""".splitlines()
    if line
)


def comments(count: int, toxic_share: float, seed: int = 1) -> list[str]:
    """`count` different comments; in every (1 / toxic_share)-th an insult stands somewhere."""
    random = Random(seed)
    every = round(1 / toxic_share)
    return [_comment(random, index, index % every == 0) for index in range(count)]


def _comment(random: Random, index: int, toxic: bool) -> str:
    wanted = min(LONGEST, random.lognormvariate(log(MEDIAN), SPREAD))
    sentences: list[str] = []
    words = 8  # the number at the end, and half a sentence: lengths are right on average
    while words < wanted or not sentences:
        clauses = random.sample(CLAUSES, random.choice((1, 1, 2)))
        sentence = random.choice((", and ", ", but ", "; ", ", so ")).join(clauses)
        sentence = f"{sentence[0].upper()}{sentence[1:]}."
        words += len(sentence.split())
        sentences.append(sentence)
    if toxic:
        sentences.insert(random.randint(0, len(sentences)), random.choice(INSULTS))
    sentences.append(f"See no. {index}.")
    return " ".join(sentences)
