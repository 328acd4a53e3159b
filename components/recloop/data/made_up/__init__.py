"""Made-up data sets, for kinds of scenario whose real sets nobody may pass on. Figures on them say nothing about people."""
