"""The shipped mappings, one SQL file for each tool. `model_outcomes.intake.mapping` reads them."""
