// Package fetch brings one commit of a git repository into a cache on disk, and answers with the folder in which it is.
//
// # The request, JSON on stdin
//
//	{
//	  "repositoryUrl": "https://git.example.com/team/shop.git",  // https, http, ssh, user@host:path, file
//	  "ref": {                       // the most exact one wins: commit, pullRequest, branch, the default branch
//	    "commit": "0123…cdef",       // 40 digits; 7 to 39 only where they are the start of a branch's or PR's last commit
//	    "branch": "main",            // beside a commit: where to look for it on a server that serves no bare commit
//	    "pullRequest": 7             // a number; GitHub's, GitLab's, Gitea's, Bitbucket's and Azure's names are tried
//	  },
//	  "cacheDir": "/var/cache/maquette",     // absolute; made with mode 0700
//	  "limits": {                    // each may be left out
//	    "bytes": 268435456,          // on the wire, and once more of the checkout
//	    "files": 20000,              // files, folders and links of the checkout
//	    "seconds": 60,               // for everything, waiting for another fetch of the same commit included
//	    "cacheBytes": 2147483648,    // of all checkouts in cacheDir
//	    "fileBytes": 104857600,      // of one file; bounds the memory that is needed
//	    "keepSeconds": 120,          // a checkout used so recently is not evicted
//	    "memoryBytes": 536870912     // of the process, see package limits; needs about four times fileBytes
//	  },
//	  "credentials": {               // may be left out; the content of the Secret
//	    "host": "git.example.com",   // or host:port; the only host that is given what follows. Needed with any of them
//	    "username": "…", "password": "…",
//	    "token": "…",                // instead of a password; the user name is x-access-token unless one is given
//	    "sshPrivateKey": "-----BEGIN…", // password is its passphrase, if it has one
//	    "knownHosts": "…",           // needed for ssh; no secret
//	    "caBundle": "-----BEGIN…"    // trusted besides the system's authorities; no secret
//	  },
//	  "allowedSchemes": ["https", "http", "ssh"],  // the default; "file" reads this machine's disk
//	  "network": {                   // may be left out
//	    "allowLoopback": false,
//	    "allowPlainCredentials": false,  // credentials over http
//	    "denied": ["10.0.0.0/8"],        // refused besides loopback, link-local and metadata addresses
//	    "allowed": ["10.9.8.7/32"],      // of the denied ones, not refused
//	    "caBundle": "-----BEGIN…"        // trusted besides the system's authorities, for every repository
//	  }
//	}
//
// # The answer, JSON on stdout, exit 0
//
//	{
//	  "commit": "0123…cdef",         // always 40 digits
//	  "path": "/var/cache/maquette/entries/<key>/source",
//	  "branch": "main",              // as asked for, or the default branch when nothing was asked for; else left out
//	  "ref": "refs/pull/7/head",     // what was resolved at the server; left out when a whole commit was given
//	  "cached": true,                // nothing was downloaded
//	  "files": 120, "bytes": 51200,  // of the checkout; bytes are those of the files' content
//	  "warnings": [{"reason": "SubmoduleLeftOut" | "LargeFilePointer", "message": "…", "file": "path"}]
//	}
//
// # The error, JSON on stdout, exit 1
//
//	{"error": {"reason": "TooLarge", "message": "…", "file": "charts/x"}}
//
// message is one line that says what to do, and holds no credential. file is there when one path of the checkout is
// at fault. The reasons are failure.InvalidRequest, failure.PathEscapes and the constants in reasons.go, where those
// that may pass by themselves are marked temporary.
//
// A second command, forget, removes checkouts: {"cacheDir": "…", "paths": ["…/entries/<key>/source"]} →
// {"removed": ["…"], "inUse": ["…"]}. A path that is gone already counts as removed.
//
// # Who may see which checkout
//
// A checkout is found by a keyed hash of: the repository's URL, the commit, and who asked (the user name, password,
// token and private key, or nobody). Knowing a URL and a commit therefore opens nothing: without the very credential
// that once fetched it, a tenant makes a fetch of its own, which the server judges. The hash is keyed with a random
// salt of the cache folder, so the names of folders do not let anybody try passwords. knownHosts and caBundle are not
// part of it: they decide whom to trust, not what may be seen, and what is checked out is proven by the commit's hash.
// A credential that was revoked still opens what it fetched before, until that is evicted.
//
// # What is in a checkout
//
// The commit's files as they are stored: no filter, no line-end conversion, no hook, no configuration of a user or
// of the machine. Files have mode 0444 or 0555, folders 0555. A submodule is an empty folder, a Git LFS pointer stays
// a pointer: both are warned of. A path or link that leaves the checkout fails the fetch.
//
// # Why git's protocol is spoken here
//
// go-git unpacks what comes (packs, objects), but its transports are not used: they speak version 0 of the protocol
// only, in which most servers hand out no bare commit; they read the environment's proxies and the user's ssh
// configuration; and they follow redirects, credentials included. What is needed of the protocol is two commands.
//
// # Folder layout
//
//	<cacheDir>/salt                    32 random bytes
//	<cacheDir>/lock                    held while entries are added or evicted
//	<cacheDir>/locks/<key>             exclusive while the entry is made or removed, shared while it is used (see Hold)
//	<cacheDir>/entries/<key>/source    the checkout
//	<cacheDir>/entries/<key>/entry.json  what is in it; its modification time is the last use
//	<cacheDir>/tmp/<key>               an entry in the making; without the holder of its lock it is a leftover
//
// An entry appears by one rename. Beside cacheBytes, every fetch under way needs up to twice limits.bytes.
package fetch
