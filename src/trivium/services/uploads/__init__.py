"""Objects in parts: uploads that take their time, and become an object all at once.

Theory of operation. An upload is a row; each part is a blob and a place in a row that owns it. Completing an
upload writes rows only: the object's entry, a layout that takes over the ownership of the listed parts'
blobs, and the upload's row, which turns from running to completed, all in the transaction of the bucket's own
`put`. From that commit on the rows of listed parts own nothing; the expiry removes them. Aborting turns the
row to aborted first and lets go of the parts in bounded steps. Every step looks at the upload's row inside
its own transaction, so that a crash or a race between any two of them never lets go of a blob twice: who may
release a part's blob is decided by the state in the upload's row and by nothing else.
"""

from trivium.services.uploads.completion import Asked, Rules, Wanted
from trivium.services.uploads.groups import Part
from trivium.services.uploads.records import Completed, Upload
from trivium.services.uploads.service import Uploads

__all__ = ["Asked", "Completed", "Part", "Rules", "Upload", "Uploads", "Wanted"]
