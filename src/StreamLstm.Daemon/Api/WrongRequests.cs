using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Api;

/// <summary>Requests that cannot be understood are answered with what was expected, whichever part of the server found out.</summary>
internal static partial class WrongRequests
{
    public static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException wrong) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = wrong.StatusCode;
            await context.Response.WriteAsJsonAsync(new { error = Words(wrong.Message) });
        }
    }

    /// <summary>Reads a word of an enumeration, as it is written everywhere.</summary>
    /// <param name="name">The parameter's.</param>
    /// <param name="text">What was asked; null and empty for nothing.</param>
    /// <param name="word">What it means; null for nothing.</param>
    /// <param name="wrong">What was expected, where it means nothing.</param>
    public static bool IsWord<T>(string name, string? text, out T? word, [NotNullWhen(false)] out IResult? wrong)
        where T : struct, Enum
    {
        word = Enum.GetValues<T>().Where(value => EventJson.Word(value) == text).Select(value => (T?)value).FirstOrDefault();
        wrong = word is not null || string.IsNullOrEmpty(text)
            ? null
            : JsonBody.Error($"query parameter {name}: '{(text.Length > 100 ? text[..100] : text)}', expected one of {string.Join(", ", Enum.GetValues<T>().Select(EventJson.Word))}", 400);
        return wrong is null;
    }

    /// <summary>What the framework says of a parameter, without the names of this program's types.</summary>
    private static string Words(string message) =>
        Parameter().Match(message) is { Success: true } match
            ? $"query parameter {OptionPath.SnakeCase(match.Groups["name"].Value)}: '{match.Groups["value"].Value}', expected {Expectation(match.Groups["type"].Value)}"
            : message;

    private static string Expectation(string type) =>
        type.Contains("DateTimeOffset", StringComparison.Ordinal) ? "a time such as 2026-05-01T10:00:00Z"
        : type.Contains("int", StringComparison.Ordinal) ? "a whole number"
        : type.Contains("bool", StringComparison.Ordinal) ? "true or false"
        : "another value";

    [GeneratedRegex("^Failed to bind parameter \"(?<type>\\S+) (?<name>\\w+)\" from \"(?<value>.{0,100}?)(\"\\.$|$|(?<=.{100}))", RegexOptions.Singleline)]
    private static partial Regex Parameter();
}
