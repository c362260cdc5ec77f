"""The practice ground: a small social network and a desk to answer in. They reach the bridge over HTTP only, as strangers would."""
