"""How the packaged weights were made: data, teachers, trainings and figures."""
