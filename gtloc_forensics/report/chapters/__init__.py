"""The chapters of a report: what each page says, as blocks that the PDF and the page share."""
