namespace StreamLstm.Daemon.Doors;

/// <summary>What a token lets its bearer do.</summary>
internal enum Role
{
    /// <summary>See everything: the page's data, the API's GET routes, the metrics.</summary>
    Read,

    /// <summary>Send observations, and nothing else.</summary>
    Ingest,

    /// <summary>Everything: read, ingest, and label, accept, mute and delete.</summary>
    Admin,
}

/// <summary>What a route asks for; a route without it asks for <see cref="Role.Admin"/>, so one that is forgotten is shut.</summary>
/// <param name="Role">Null: open to anybody, as it says nothing of what is watched.</param>
internal sealed record RequiredRole(Role? Role);
