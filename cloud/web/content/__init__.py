"""What the pages about content are made of: documents as forms, examples to begin with, things to choose from."""
