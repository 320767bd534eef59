"""The app: command line, configuration and wiring. The only floor that knows every concrete class."""
