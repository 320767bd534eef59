"""The door: HTTP. It turns the server's request and response objects into ours and back. Sockets are here."""
