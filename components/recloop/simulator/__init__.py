"""Made-up shoppers whose tastes are known, to try recommendations, experiments and alarms on."""
