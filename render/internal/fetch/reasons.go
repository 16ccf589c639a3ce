package fetch

// The reasons of failures, besides failure.InvalidRequest and failure.PathEscapes. Those marked temporary may pass by
// themselves.
const (
	// InvalidUrl: the repository's URL cannot be used, or holds a password.
	InvalidUrl = "InvalidUrl"
	// SchemeRefused: the URL's scheme is not an allowed one.
	SchemeRefused = "SchemeRefused"
	// CredentialsRefused: the credentials are unusable, belong to another host, or would travel in the clear.
	CredentialsRefused = "CredentialsRefused"
	// AddressRefused: the host's name leads to an address that must not be asked.
	AddressRefused = "AddressRefused"
	// RedirectRefused: the server sends the request to another host.
	RedirectRefused = "RedirectRefused"
	// HostUnreachable: no connection, or it broke. Temporary.
	HostUnreachable = "HostUnreachable"
	// CertificateUntrusted: the server's TLS certificate is not one of a known authority, or not this host's.
	CertificateUntrusted = "CertificateUntrusted"
	// HostKeyUnknown: knownHosts has no key of the ssh server.
	HostKeyUnknown = "HostKeyUnknown"
	// HostKeyChanged: knownHosts has another key of the ssh server.
	HostKeyChanged = "HostKeyChanged"
	// AuthenticationFailed: the server wants credentials, or others.
	AuthenticationFailed = "AuthenticationFailed"
	// RepositoryNotFound: the server has no such repository, or does not show it to this credential.
	RepositoryNotFound = "RepositoryNotFound"
	// RepositoryEmpty: the repository has no commit yet.
	RepositoryEmpty = "RepositoryEmpty"
	// RefNotFound: there is no such branch or pull request.
	RefNotFound = "RefNotFound"
	// CommitNotFound: there is no such commit, or the server does not hand it out.
	CommitNotFound = "CommitNotFound"
	// ServerFailed: the server answered with an error of its own. Temporary.
	ServerFailed = "ServerFailed"
	// InvalidRepository: what the server sent is damaged, or of a kind that is not supported.
	InvalidRepository = "InvalidRepository"
	// TooLarge: more bytes than the limit, on the wire, in one file, or in the checkout.
	TooLarge = "TooLarge"
	// TooManyFiles: more files, folders and links than the limit.
	TooManyFiles = "TooManyFiles"
	// TooSlow: it took longer than the limit. Temporary.
	TooSlow = "TooSlow"
	// PathRefused: a path of the commit has a name that is not written to disk.
	PathRefused = "PathRefused"
	// CacheFull: all that fills the cache is in use. Temporary.
	CacheFull = "CacheFull"
	// CacheFailed: the cache's folder cannot be used. Temporary.
	CacheFailed = "CacheFailed"
)
