using System.Security.Cryptography;
using System.Text;

namespace StreamLstm.Daemon.Doors;

/// <summary>The tokens that open the HTTP API.</summary>
/// <remarks>
/// What is compared are digests of one length, each with every token, in constant time: how long it takes says nothing of a token. A
/// token is in no log, no error and no answer.
/// </remarks>
internal sealed class AccessTokens
{
    public const int LengthMin = 16;

    private readonly TimeProvider _time;
    private readonly Action<string> _changed, _trouble;
    private volatile (Role Role, Func<byte[]?> Digest)[] _tokens = [];

    /// <param name="options">The configuration; none: everything is open.</param>
    /// <param name="time">For files that are read again.</param>
    /// <param name="changed">Hears of files that changed.</param>
    /// <param name="trouble">Hears of files that cannot be read.</param>
    public AccessTokens(IReadOnlyList<AccessTokenOptions> options, TimeProvider time, Action<string> changed, Action<string> trouble)
    {
        (_time, _changed, _trouble) = (time, changed, trouble);
        Replace(options);
    }

    /// <summary>Others open from now on.</summary>
    public void Replace(IReadOnlyList<AccessTokenOptions> options) =>
        _tokens = [.. options.Select(token => (token.Role, Digest(token, _time, _changed, _trouble)))];

    /// <summary>Whether a token is asked for at all.</summary>
    public bool AreAskedFor => _tokens.Length > 0;

    /// <summary>What a token may do.</summary>
    /// <param name="presented">As it came.</param>
    /// <param name="role">What it is to open.</param>
    /// <returns>Whether it is known, and whether it opens that.</returns>
    public (bool IsKnown, bool Opens) Ask(string presented, Role role)
    {
        byte[] digest = Digest(presented);
        bool isKnown = false, opens = false;

        foreach ((Role of, Func<byte[]?> token) in _tokens)
        {
            bool isIt = CryptographicOperations.FixedTimeEquals(digest, token() ?? []);
            isKnown |= isIt;
            opens |= isIt & (of == role | of == Role.Admin);
        }

        return (isKnown, opens);
    }

    /// <summary>The token that a file holds.</summary>
    /// <exception cref="InvalidDataException">It holds none.</exception>
    public static string FromFile(byte[] bytes)
    {
        string token = Encoding.UTF8.GetString(bytes).Trim();
        return WrongToken(token) is { } wrong ? throw new InvalidDataException(wrong) : token;
    }

    /// <summary>What is wrong with a token, without naming it; null where nothing is.</summary>
    public static string? WrongToken(string token) =>
        token.Length < LengthMin || token.Any(character => character is <= ' ' or > '~')
            ? $"{token.Length} characters, expected {LengthMin} or more of ASCII without blanks, such as openssl rand -hex 24 gives"
            : null;

    private static Func<byte[]?> Digest(AccessTokenOptions token, TimeProvider time, Action<string> changed, Action<string> trouble)
    {
        if (token.File.Length == 0)
        {
            byte[] digest = Digest(token.Token);
            return () => digest;
        }

        var file = new RereadFiles<byte[]>([token.File], bytes => Digest(FromFile(bytes[0])), time) { Changed = changed, Trouble = trouble };
        return () => file.Current;
    }

    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
