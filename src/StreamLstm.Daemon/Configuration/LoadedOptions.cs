using Microsoft.Extensions.Configuration;

namespace StreamLstm.Daemon.Configuration;

/// <summary>Options, and the values they were made of.</summary>
internal sealed class LoadedOptions
{
    private readonly IReadOnlyDictionary<string, OptionPath> _values;

    /// <param name="values">By key, in snake_case.</param>
    public LoadedOptions(IReadOnlyDictionary<string, OptionPath> values)
    {
        _values = values;
        Options = new DaemonOptions();
        new ConfigurationBuilder()
            .AddInMemoryCollection(values.Values.Select(value => new KeyValuePair<string, string?>(value.ConfigurationKey, value.Value)))
            .Build().Bind(Options);
    }

    public DaemonOptions Options { get; }

    /// <summary>What others say that is not said here, in the order of keys.</summary>
    public IReadOnlyList<OptionChange> ChangesTo(LoadedOptions next) =>
    [
        .. _values.Keys.Union(next._values.Keys).Order(StringComparer.Ordinal)
            .Where(key => _values.GetValueOrDefault(key)?.Value != next._values.GetValueOrDefault(key)?.Value)
            .Select(key => new OptionChange(key, Said(_values.GetValueOrDefault(key)), Said(next._values.GetValueOrDefault(key)))),
    ];

    /// <summary>The same, but for what others say of some keys.</summary>
    public LoadedOptions With(LoadedOptions other, Func<string, bool> isTheirs) => new(
        _values.Where(value => !isTheirs(value.Key)).Concat(other._values.Where(value => isTheirs(value.Key)))
            .ToDictionary(value => value.Key, value => value.Value, StringComparer.Ordinal));

    private static string? Said(OptionPath? value) => value is { IsSecret: true, Value.Length: > 0 } ? "***" : value?.Written;
}

/// <summary>An option that says something else.</summary>
/// <param name="Key">Its key, as sources.mqtt.0.url.</param>
/// <param name="Before">What it said; null where it said nothing.</param>
/// <param name="After">What it says; null where it says nothing.</param>
internal sealed record OptionChange(string Key, string? Before, string? After)
{
    /// <summary>Whether it is part of what a key names.</summary>
    public bool IsOf(string section) => Key == section || Key.StartsWith(section + ".", StringComparison.Ordinal);

    public override string ToString() => $"{Key}: {Word(Before)} -> {Word(After)}";

    private static string Word(string? value) => value is null ? "nothing" : $"'{value}'";
}
