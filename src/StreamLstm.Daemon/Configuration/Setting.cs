namespace StreamLstm.Daemon.Configuration;

/// <summary>One value and where it was written.</summary>
/// <param name="Path">snake_case keys from the root; list items by number.</param>
/// <param name="Value">As written, after interpolation; null for an empty one.</param>
/// <param name="Origin">For people: file and line, variable, or --set.</param>
internal sealed record Setting(IReadOnlyList<string> Path, string? Value, string Origin)
{
    public string Key => string.Join('.', Path);
}
