"""What comes back: mails to the stop address, and reports about letters."""

import gc

# Importing makes a hundred thousand objects that stay; looking through them again and again for garbage is a tenth of
# a cold start. Messages leave little garbage in cycles, so looking seldom is enough.
gc.set_threshold(50_000)
