"""What all end-to-end suites share: private servers, ports, paths. No suite starts a server otherwise."""
