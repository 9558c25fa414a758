"""Numbers to lines of text: pure, knows no Textual."""
